package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** Where workers connect. */
public final class WorkerServiceApi extends WorkerServiceGrpc.WorkerServiceImplBase {

  private final Dispatcher dispatcher;
  private final LeaseConfig config;
  private final DispatchMetrics metrics;

  public WorkerServiceApi(Dispatcher dispatcher, LeaseConfig config, DispatchMetrics metrics) {
    this.dispatcher = dispatcher;
    this.config = config;
    this.metrics = metrics;
  }

  @Override
  public StreamObserver<ConnectRequest> connect(StreamObserver<ConnectResponse> stream) {
    return new WorkerSession(
        (ServerCallStreamObserver<ConnectResponse>) stream, dispatcher, config, metrics);
  }
}
