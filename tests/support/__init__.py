"""What tests share: a cloud in this process, a site to talk to, and people to talk as."""
