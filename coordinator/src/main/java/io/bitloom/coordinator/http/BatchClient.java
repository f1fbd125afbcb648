package io.bitloom.coordinator.http;

import io.bitloom.coordinator.auth.Authentication;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CancelJobResponse;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetJobResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.PauseJobResponse;
import io.bitloom.v1.ResumeJobRequest;
import io.bitloom.v1.ResumeJobResponse;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** The gRPC services, called as any client would, with answers on the caller's event loop. */
final class BatchClient {

  private static final int DEADLINE_SECONDS = 5;

  private final Vertx vertx;
  private final BatchServiceGrpc.BatchServiceStub stub;

  /** Calls as the coordinator itself. */
  BatchClient(Vertx vertx, Channel channel) {
    this(vertx, BatchServiceGrpc.newStub(channel));
  }

  private BatchClient(Vertx vertx, BatchServiceGrpc.BatchServiceStub stub) {
    this.vertx = vertx;
    this.stub = stub;
  }

  /** Calls for whoever made this request. */
  BatchClient of(RoutingContext context) {
    String token = HttpAccess.token(context);
    if (token == null) {
      return this;
    }
    Metadata headers = new Metadata();
    headers.put(Authentication.AUTHORIZATION, "Bearer " + token);
    return new BatchClient(
        vertx, stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers)));
  }

  Future<ListJobsResponse> listJobs(ListJobsRequest request) {
    return call((stub, answer) -> stub.listJobs(request, answer));
  }

  Future<GetJobResponse> getJob(GetJobRequest request) {
    return call((stub, answer) -> stub.getJob(request, answer));
  }

  Future<Job> pause(String name) {
    PauseJobRequest request = PauseJobRequest.newBuilder().setName(name).build();
    return this.<PauseJobResponse>call((stub, answer) -> stub.pauseJob(request, answer))
        .map(PauseJobResponse::getJob);
  }

  Future<Job> resume(String name) {
    ResumeJobRequest request = ResumeJobRequest.newBuilder().setName(name).build();
    return this.<ResumeJobResponse>call((stub, answer) -> stub.resumeJob(request, answer))
        .map(ResumeJobResponse::getJob);
  }

  Future<Job> cancel(String name) {
    CancelJobRequest request = CancelJobRequest.newBuilder().setName(name).build();
    return this.<CancelJobResponse>call((stub, answer) -> stub.cancelJob(request, answer))
        .map(CancelJobResponse::getJob);
  }

  Future<ListPromptsResponse> listPrompts(ListPromptsRequest request) {
    return call((stub, answer) -> stub.listPrompts(request, answer));
  }

  Future<GetClusterResponse> cluster() {
    return call(
        (stub, answer) ->
            ClusterServiceGrpc.newStub(stub.getChannel())
                .withDeadline(stub.getCallOptions().getDeadline())
                .getCluster(GetClusterRequest.getDefaultInstance(), answer));
  }

  Future<ListModelsResponse> listModels() {
    return call((stub, answer) -> stub.listModels(ListModelsRequest.getDefaultInstance(), answer));
  }

  private <A> Future<A> call(
      BiConsumer<BatchServiceGrpc.BatchServiceStub, StreamObserver<A>> method) {
    Promise<A> promise = Promise.promise();
    var context = vertx.getOrCreateContext();
    method.accept(
        stub.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS),
        new StreamObserver<>() {
          @Override
          public void onNext(A answer) {
            context.runOnContext(done -> promise.tryComplete(answer));
          }

          @Override
          public void onError(Throwable error) {
            context.runOnContext(done -> promise.tryFail(error));
          }

          @Override
          public void onCompleted() {}
        });
    return promise.future();
  }
}
