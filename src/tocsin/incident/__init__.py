"""What is this incident's state? Always the fold of its events. Which steps are legal?"""
