"""The mathematics of stream detectors: counts that merge, e-values, change-time wrappers, intervals, dating a change.

Everything is a pure function of integers per window, so that shards merge exactly and a result can be recomputed by hand.
"""
