package io.bitloom.coordinator.queue;

import java.util.List;

/**
 * A page of jobs, newest first.
 *
 * @param nextPageToken empty on the last page
 */
public record JobPage(List<JobRecord> jobs, String nextPageToken) {}
