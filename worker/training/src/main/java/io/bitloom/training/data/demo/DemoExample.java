package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;

/**
 * One picture of the data set, not yet drawn.
 *
 * @param index its number
 * @param composition what it shows
 * @param schedule its aspect ratio and size
 * @param caption what it shows in words
 */
public record DemoExample(
    long index, Composition composition, ScaleSchedule schedule, String caption) {}
