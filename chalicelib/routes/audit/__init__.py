"""Who read or changed what: for administrators."""
