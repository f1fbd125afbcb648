package io.bitloom.client.cluster;

import java.nio.file.Path;

/**
 * What a local cluster consists of.
 *
 * @param home folder of the script {@code bitloom}
 * @param data folder of the coordinator: queue and results
 * @param logs folder for one log file a process
 * @param grpcPort port of the coordinator; 0 for any free one
 * @param httpPort port of its pages and metrics; 0 for any free one
 * @param workers how many, and on what
 * @param model name or folder of the workers' model; empty for the built-in one
 * @param jvmOptions more flags for the JVMs, separated by spaces
 * @param restarts of processes that end by themselves
 */
public record ClusterConfig(
    Path home,
    Path data,
    Path logs,
    int grpcPort,
    int httpPort,
    Workers workers,
    String model,
    String jvmOptions,
    RestartPolicy restarts) {}
