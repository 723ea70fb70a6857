"""CDS Hooks: the eligibility check inside an EHR."""
