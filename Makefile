# EmoPulse. Every target does the set-up it needs by itself, and only what has changed since.
.DEFAULT_GOAL := help
.PHONY: help demo test lint test-training test-tensorrt clean

# `make PYTHON=python3.12 test` chooses a Python, `make test ARGS="-k flow"` passes arguments on.
export PYTHON
ARGS =
# The training's tests, and those that `make test` skips for want of the training's libraries.
training_tests = test/training test/synthesis/test_rendered.py test/evaluation/test_metrics.py
# Likewise, for want of TensorRT or of what reaches a GPU's memory.
tensorrt_tests = test/detection/test_tensorrt_plan.py test/detection/test_build_beside.py \
    test/detection/test_device_memory.py test/detection/test_engines.py

prepare = @sh bootstrap/prepare.sh
bin = .venv/bin

# What runs here stays on this machine, unless the caller says otherwise.
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST
# A sourced ROS distribution brings plugins for pytest which our tests do not use.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD = 1

help:
	@echo 'make demo           watch the synthetic face live for 15 s, in this terminal'
	@echo 'make test           run the tests (no PyTorch needed)'
	@echo 'make lint           ruff and mypy'
	@echo 'make test-training  install what training needs, PyTorch too, and run its tests'
	@echo 'make test-tensorrt  install a TensorRT that builds without a GPU, and its tests'
	@echo 'make clean          delete .venv and everything built'

demo:
	$(prepare) viewer
	@$(bin)/emopulse demo $(ARGS)

test:
	$(prepare) viewer view evaluation test
	@$(bin)/python -m pytest --ignore=test/training $(ARGS)

lint:
	$(prepare) test
	@$(bin)/ruff check .
	@$(bin)/ruff format --check --exclude '*.md' .
	@if $(bin)/python -c 'import torch' 2>/dev/null; then $(bin)/mypy; else \
	    echo 'without PyTorch emopulse_ros/training is not type-checked (make test-training installs it)'; \
	    $(bin)/mypy --exclude '^emopulse_ros/training/' --follow-imports=silent; fi

test-training:
	$(prepare) viewer evaluation test training
	@$(bin)/python -m pytest $(training_tests) $(ARGS)

test-tensorrt:
	$(prepare) test tensorrt
	@$(bin)/python -m pytest $(tensorrt_tests) $(ARGS)

clean:
	rm -rf .venv build install log *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
