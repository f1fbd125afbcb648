package io.bitloom.coordinator.queue;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * What was told of a job, and how that went.
 *
 * @param told what was delivered
 * @param givenUp what is not tried any more, until somebody asks for it or more comes about
 * @param unwanted whether the receiver wants no more: then nothing new is tried either
 * @param tries failed attempts of what is to be told next
 * @param failures failed attempts of all
 * @param next when what is to be told next is to be tried again; empty: at once
 * @param error why the last attempt failed; empty if it did not
 */
public record WebhookState(
    Set<Milestone> told,
    Set<Milestone> givenUp,
    boolean unwanted,
    int tries,
    long failures,
    Optional<Instant> next,
    String error) {}
