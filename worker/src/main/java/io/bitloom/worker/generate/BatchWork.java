package io.bitloom.worker.generate;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Prompts of one schedule that were submitted together.
 *
 * @param prompts in the order of submission; each ends on its own
 * @param drawn completes when the device is done with all of them, before the last images are
 *     encoded; never fails
 */
public record BatchWork(
    ScaleSchedule schedule, List<PromptWork> prompts, CompletableFuture<Void> drawn) {}
