package io.bitloom.common.error;

import java.time.Duration;

/**
 * A limit that a caller has reached.
 *
 * @param subject whose limit it is, {@code tenants/art}
 * @param limit its name, {@code queued_prompts}
 * @param value what it is
 * @param used how much of it is used already
 * @param retryAfter when a repeated call may succeed
 */
public record Exhausted(String subject, String limit, long value, long used, Duration retryAfter) {}
