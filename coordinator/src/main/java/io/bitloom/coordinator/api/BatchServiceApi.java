package io.bitloom.coordinator.api;

import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.jobs.GenerateCalls;
import io.bitloom.coordinator.jobs.JobDirectory;
import io.bitloom.coordinator.jobs.JobWatches;
import io.bitloom.coordinator.jobs.Results;
import io.bitloom.coordinator.jobs.Submissions;
import io.bitloom.coordinator.telemetry.RpcTraces;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CancelJobResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.CreateJobResponse;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.DeleteJobResponse;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetJobResponse;
import io.bitloom.v1.GetLimitsRequest;
import io.bitloom.v1.GetLimitsResponse;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.ListFailuresRequest;
import io.bitloom.v1.ListFailuresResponse;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.PauseJobResponse;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.ReplayJobRequest;
import io.bitloom.v1.ReplayJobResponse;
import io.bitloom.v1.ResumeJobRequest;
import io.bitloom.v1.ResumeJobResponse;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.SealJobResponse;
import io.bitloom.v1.UpdateJobRequest;
import io.bitloom.v1.UpdateJobResponse;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.stub.StreamObserver;
import java.util.OptionalLong;

/**
 * The bulk-job API as a gRPC service: hands every message to the rules of jobs, and the answer
 * back.
 */
public final class BatchServiceApi extends BatchServiceGrpc.BatchServiceImplBase {

  private final Submissions submissions;
  private final JobDirectory jobs;
  private final Results results;
  private final JobWatches watches;
  private final GenerateCalls generations;

  public BatchServiceApi(
      Submissions submissions,
      JobDirectory jobs,
      Results results,
      JobWatches watches,
      GenerateCalls generations) {
    this.submissions = submissions;
    this.jobs = jobs;
    this.results = results;
    this.watches = watches;
    this.generations = generations;
  }

  @Override
  public void createJob(CreateJobRequest request, StreamObserver<CreateJobResponse> caller) {
    Calls.answer(
        caller,
        submissions
            .create(Authentication.caller(), request)
            .thenApply(job -> CreateJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public StreamObserver<AppendPromptsRequest> appendPrompts(
      StreamObserver<AppendPromptsResponse> caller) {
    return new UploadCall<>(
        caller, submissions.append(Authentication.caller(), RpcTraces.caller()));
  }

  @Override
  public void sealJob(SealJobRequest request, StreamObserver<SealJobResponse> caller) {
    OptionalLong expected =
        request.hasExpectedPrompts()
            ? OptionalLong.of(request.getExpectedPrompts())
            : OptionalLong.empty();
    Calls.answer(
        caller,
        submissions
            .seal(Authentication.caller(), request.getName(), expected)
            .thenApply(job -> SealJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void getJob(GetJobRequest request, StreamObserver<GetJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.get(Authentication.caller(), request.getName())
            .thenApply(job -> GetJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void listJobs(ListJobsRequest request, StreamObserver<ListJobsResponse> caller) {
    Calls.answer(caller, jobs.list(Authentication.caller(), request));
  }

  @Override
  public void cancelJob(CancelJobRequest request, StreamObserver<CancelJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.cancel(Authentication.caller(), request.getName())
            .thenApply(job -> CancelJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void pauseJob(PauseJobRequest request, StreamObserver<PauseJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.pause(Authentication.caller(), request.getName())
            .thenApply(job -> PauseJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void resumeJob(ResumeJobRequest request, StreamObserver<ResumeJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.resume(Authentication.caller(), request.getName())
            .thenApply(job -> ResumeJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void updateJob(UpdateJobRequest request, StreamObserver<UpdateJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.update(Authentication.caller(), request)
            .thenApply(job -> UpdateJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void deleteJob(DeleteJobRequest request, StreamObserver<DeleteJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.delete(Authentication.caller(), request.getName())
            .thenApply(done -> DeleteJobResponse.getDefaultInstance()));
  }

  @Override
  public void replayJob(ReplayJobRequest request, StreamObserver<ReplayJobResponse> caller) {
    Calls.answer(
        caller,
        submissions
            .replay(Authentication.caller(), request.getName(), request.getIncludeCancelled())
            .thenApply(job -> ReplayJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void listPrompts(ListPromptsRequest request, StreamObserver<ListPromptsResponse> caller) {
    Calls.answer(caller, results.prompts(Authentication.caller(), request));
  }

  @Override
  public void getPrompt(GetPromptRequest request, StreamObserver<GetPromptResponse> caller) {
    results.prompt(Authentication.caller(), request, new GrpcSink<>(caller));
  }

  @Override
  public void listFailures(
      ListFailuresRequest request, StreamObserver<ListFailuresResponse> caller) {
    Calls.answer(caller, results.failures(Authentication.caller(), request));
  }

  @Override
  public void watchJob(WatchJobRequest request, StreamObserver<WatchJobResponse> caller) {
    watches.watch(Authentication.caller(), request, new GrpcSink<>(caller));
  }

  @Override
  public void readResults(ReadResultsRequest request, StreamObserver<ReadResultsResponse> caller) {
    results.read(Authentication.caller(), request, new GrpcSink<>(caller));
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> caller) {
    generations.generate(
        Authentication.caller(), request, new GrpcSink<>(caller), RpcTraces.caller());
  }

  @Override
  public StreamObserver<EstimatePromptsRequest> estimatePrompts(
      StreamObserver<EstimatePromptsResponse> caller) {
    return new UploadCall<>(caller, submissions.estimate());
  }

  @Override
  public void getLimits(GetLimitsRequest request, StreamObserver<GetLimitsResponse> caller) {
    caller.onNext(submissions.limits(Authentication.caller()));
    caller.onCompleted();
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> caller) {
    Calls.answer(
        caller,
        submissions
            .models()
            .thenApply(all -> ListModelsResponse.newBuilder().addAllModels(all).build()));
  }
}
