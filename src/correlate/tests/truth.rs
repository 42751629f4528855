//! The truth of the rig's example run and of its generator, where they are at hand.
