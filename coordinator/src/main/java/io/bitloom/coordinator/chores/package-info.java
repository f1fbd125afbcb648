/**
 * What coordinators do for jobs besides answering calls, each job by one of them at a time: reading
 * prompts from objects, writing files of outcomes. Whoever dies is followed by another.
 */
package io.bitloom.coordinator.chores;
