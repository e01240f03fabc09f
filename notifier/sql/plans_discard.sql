-- The statements of this session are planned again when they are used next.
DISCARD PLANS
