package io.bitloom.coordinator.api;

import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.jobs.ClusterState;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.GetClusterResponse;
import io.grpc.stub.StreamObserver;

/** {@link ClusterState} as a gRPC service. */
public final class ClusterServiceApi extends ClusterServiceGrpc.ClusterServiceImplBase {

  private final ClusterState cluster;

  public ClusterServiceApi(ClusterState cluster) {
    this.cluster = cluster;
  }

  @Override
  public void getCluster(GetClusterRequest request, StreamObserver<GetClusterResponse> caller) {
    Calls.answer(caller, cluster.now(Authentication.caller()));
  }
}
