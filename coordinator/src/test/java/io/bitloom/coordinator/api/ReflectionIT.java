package io.bitloom.coordinator.api;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.BatchServiceGrpc;
import io.grpc.reflection.v1alpha.ServerReflectionGrpc;
import io.grpc.reflection.v1alpha.ServerReflectionRequest;
import io.grpc.reflection.v1alpha.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReflectionIT extends ApiFixture {

  /** Answers a call with its first message. */
  private record First<T>(CompletableFuture<T> answer) implements StreamObserver<T> {
    @Override
    public void onNext(T message) {
      answer.complete(message);
    }

    @Override
    public void onError(Throwable error) {
      answer.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {}
  }

  @Test
  void toolsThatKnowOnlyTheOlderReflectionSeeTheServices() throws Exception {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> call =
        ServerReflectionGrpc.newStub(coordinator.channel())
            .serverReflectionInfo(new First<>(answer));
    call.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    call.onCompleted();
    List<String> services =
        answer
            .get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)
            .getListServicesResponse()
            .getServiceList()
            .stream()
            .map(service -> service.getName())
            .toList();
    for (String service :
        List.of(
            BatchServiceGrpc.SERVICE_NAME,
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection")) {
      assertTrue(services.contains(service), services.toString());
    }
  }
}
