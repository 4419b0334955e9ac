"""Is this text a well-formed document, and if not, where exactly is each mistake?"""
