package io.bitloom.coordinator.queue;

/**
 * The prompts that can share a batch: those of one model and one scale schedule.
 *
 * @param model name of the model
 * @param schedule id of the scale schedule, {@code 0.666_0.25M}
 */
public record Bucket(String model, String schedule) {}
