/**
 * The rules of jobs: who may see and change them, what may be appended, how prompts are replayed,
 * drawn at once, estimated and forecast, how results are read and jobs deleted. Doors (gRPC, HTTP)
 * call {@link io.bitloom.coordinator.jobs.Submissions}, {@link
 * io.bitloom.coordinator.jobs.JobDirectory}, {@link io.bitloom.coordinator.jobs.Results}, {@link
 * io.bitloom.coordinator.jobs.JobWatches}, {@link io.bitloom.coordinator.jobs.GenerateCalls} and
 * {@link io.bitloom.coordinator.jobs.ClusterState}; nothing here knows a door. Errors are {@link
 * io.bitloom.common.error.BitloomException}s, thrown or in the stage.
 */
package io.bitloom.coordinator.jobs;
