package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * A failed attempt that another one may mend.
 *
 * @param body becomes the outcome's body if this was the last attempt
 */
public record TaskFailure(TaskRef task, ByteString body) {}
