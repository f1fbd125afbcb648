/** Optimizer, parameter groups, learning-rate schedule, gradients and moving averages. */
package io.bitloom.worker.train.optim;
