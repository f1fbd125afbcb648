/**
 * Training of the transformer and of the visual tokenizer: {@code bitloom worker --mode train} and
 * {@code --mode train-tokenizer}. Each kind of training is a {@link
 * io.bitloom.training.TrainingJob}, read from a YAML file.
 */
package io.bitloom.training;
