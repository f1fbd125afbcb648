/** Optimizer, parameter groups, learning-rate schedule, gradients and moving averages. */
package io.bitloom.training.optim;
