"""Is the policy complete, current and staffed? What is the gap?"""
