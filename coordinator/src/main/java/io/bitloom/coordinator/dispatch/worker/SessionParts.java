package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.Matcher;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.coordinator.tracing.PromptTraces;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * What all sessions share.
 *
 * @param coordinatorId told to workers, for their logs
 * @param storeThreads where images are stored, which blocks
 * @param connectionAge after which a worker is asked to connect anew; empty: never
 */
record SessionParts(
    String coordinatorId,
    Roster roster,
    DispatchLoop loop,
    Matcher matcher,
    JobQueue queue,
    ModelRegistry models,
    ProgressFeed feed,
    ImageStorage images,
    Executor storeThreads,
    LeaseConfig config,
    Optional<Duration> connectionAge,
    DispatchMetrics metrics,
    PromptTraces traces) {}
