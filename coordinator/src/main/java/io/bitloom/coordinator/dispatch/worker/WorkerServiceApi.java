package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** Where workers connect. */
public final class WorkerServiceApi extends WorkerServiceGrpc.WorkerServiceImplBase {

  private final ConnectedWorkers workers;

  public WorkerServiceApi(ConnectedWorkers workers) {
    this.workers = workers;
  }

  @Override
  public StreamObserver<ConnectRequest> connect(StreamObserver<ConnectResponse> stream) {
    return workers.connect(
        Authentication.caller().worker(), (ServerCallStreamObserver<ConnectResponse>) stream);
  }
}
