package io.bitloom.common.doctor;

import java.nio.file.Path;

/**
 * How Bitloom is to run on this machine.
 *
 * @param data folder of queue, images and logs
 * @param grpcPort port of clients and workers
 * @param httpPort port of pages and metrics
 * @param redis {@code embedded}, or the URI of one
 */
public record Setup(Path data, int grpcPort, int httpPort, String redis) {}
