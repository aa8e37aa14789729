"""`musubi explain`: of one person, why each message came, or did not; of all, that nothing is left unexplained."""
