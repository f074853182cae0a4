"""The stages of scripts/gpu_run; standard library only."""
