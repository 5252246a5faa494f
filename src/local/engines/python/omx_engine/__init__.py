"""Runs workflow engines for the local accounts: the engine in this process, the tasks where the accounts say."""
