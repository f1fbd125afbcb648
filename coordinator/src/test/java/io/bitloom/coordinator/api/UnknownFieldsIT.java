package io.bitloom.coordinator.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.TrainingServiceGrpc;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What this version does not know gets no further than the port, on every method, however deep. */
class UnknownFieldsIT extends ApiFixture {

  private static final int NUMBER = 999;

  private static final UnknownFieldSet STOWAWAY =
      UnknownFieldSet.newBuilder()
          .addField(
              NUMBER,
              UnknownFieldSet.Field.newBuilder()
                  .addLengthDelimited(ByteString.copyFrom(new byte[1000]))
                  .build())
          .build();

  /** Every method with its request as it is, and with every message inside of it, one at a time. */
  static Stream<Arguments> requests() {
    return Stream.of(
            BatchServiceGrpc.getServiceDescriptor(),
            ClusterServiceGrpc.getServiceDescriptor(),
            TrainingServiceGrpc.getServiceDescriptor(),
            WorkerServiceGrpc.getServiceDescriptor())
        .map(ServiceDescriptor::getMethods)
        .flatMap(Collection::stream)
        .flatMap(
            method -> {
              Message empty = (Message) prototype(method);
              return spoiled(empty)
                  .map(
                      message ->
                          Arguments.of(
                              method.getFullMethodName(), spoiledType(message), method, message));
            });
  }

  private static Object prototype(MethodDescriptor<?, ?> method) {
    return ((MethodDescriptor.PrototypeMarshaller<?>) method.getRequestMarshaller())
        .getMessagePrototype();
  }

  /** Messages of this type of which one, inside or not, has the unknown field. */
  private static Stream<Message> spoiled(Message empty) {
    Message here = empty.toBuilder().setUnknownFields(STOWAWAY).build();
    Stream<Message> inside =
        empty.getDescriptorForType().getFields().stream()
            .filter(field -> field.getJavaType() == JavaType.MESSAGE && !field.isMapField())
            .flatMap(
                field -> {
                  Message.Builder builder = empty.newBuilderForType();
                  Message nested = builder.newBuilderForField(field).build();
                  return spoiled(nested)
                      .map(
                          message ->
                              field.isRepeated()
                                  ? builder.clone().addRepeatedField(field, message).build()
                                  : builder.clone().setField(field, message).build());
                });
    return Stream.concat(Stream.of(here), inside);
  }

  private static String spoiledType(Message message) {
    if (!message.getUnknownFields().asMap().isEmpty()) {
      return message.getDescriptorForType().getFullName();
    }
    Object only = message.getAllFields().values().iterator().next();
    return spoiledType((Message) (only instanceof List<?> list ? list.get(0) : only));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("requests")
  void aFieldOfNoNameIsRefusedByItsMessageAndNumber(
      String name, String type, MethodDescriptor<Message, Message> method, Message request)
      throws Exception {
    String before = newest();
    StatusRuntimeException status = call(method, request);
    assertEquals(Status.Code.INVALID_ARGUMENT, status.getStatus().getCode(), status.toString());
    BitloomException error = GrpcErrors.fromStatus(status);
    assertEquals(ErrorCode.MALFORMED_MESSAGE, error.code());
    assertTrue(error.getMessage().contains(type + " has no field " + NUMBER), error.getMessage());
    assertEquals(before, newest());
  }

  private static String newest() {
    Optional<Job> newest =
        batch().listJobs(ListJobsRequest.newBuilder().setPageSize(1).build()).getJobsList().stream()
            .findFirst();
    return newest.map(Job::getName).orElse("");
  }

  private static StatusRuntimeException call(
      MethodDescriptor<Message, Message> method, Message request) throws Exception {
    CompletableFuture<StatusRuntimeException> end = new CompletableFuture<>();
    StreamObserver<Message> observer =
        new StreamObserver<>() {
          @Override
          public void onNext(Message answer) {}

          @Override
          public void onError(Throwable error) {
            end.complete((StatusRuntimeException) error);
          }

          @Override
          public void onCompleted() {
            end.complete(Status.OK.withDescription("it was answered").asRuntimeException());
          }
        };
    var call =
        coordinator
            .channel()
            .newCall(method, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS));
    if (method.getType().clientSendsOneMessage()) {
      ClientCalls.asyncServerStreamingCall(call, request, observer);
    } else {
      ClientCalls.asyncBidiStreamingCall(call, observer).onNext(request);
    }
    return end.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }
}
