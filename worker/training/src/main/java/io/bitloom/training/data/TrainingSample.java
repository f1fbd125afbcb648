package io.bitloom.training.data;

import io.bitloom.engine.image.RgbImage;

/**
 * A sample that is ready to be trained on: the picture, or its features from the cache.
 *
 * @param number of the sample in the run, from 0: what its random draws follow from
 * @param caption what the picture shows
 * @param picture in the size of the schedule; null where the features are known
 * @param features of the tokenizer; null where they are not known yet
 * @param key under which the features are cached; null without a cache
 */
public record TrainingSample(
    long number, String caption, RgbImage picture, float[] features, String key) {}
