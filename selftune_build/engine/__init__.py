"""From a workspace to its evidence: load, plan, sample, judge, decide. Knows nothing of click, pluggy or YAML."""
