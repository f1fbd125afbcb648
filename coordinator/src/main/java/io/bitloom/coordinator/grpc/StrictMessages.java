package io.bitloom.coordinator.grpc;

import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;

/**
 * Blames bytes that are no message of the method's type (broken protobuf, text that is not UTF-8)
 * on the caller. An exception of a marshaller would end the call as UNKNOWN before any interceptor
 * sees it; therefore such bytes become a null message, which {@link ErrorInterceptor} refuses.
 */
final class StrictMessages {

  private StrictMessages() {}

  static ServerServiceDefinition of(ServerServiceDefinition service) {
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(service.getServiceDescriptor().getName())
            .setSchemaDescriptor(service.getServiceDescriptor().getSchemaDescriptor());
    var methods = service.getMethods().stream().map(StrictMessages::strict).toList();
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder strict = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(strict::addMethod);
    return strict.build();
  }

  private static <Q, A> ServerMethodDefinition<Q, A> strict(ServerMethodDefinition<Q, A> method) {
    MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
    return ServerMethodDefinition.create(
        descriptor.toBuilder()
            .setRequestMarshaller(new StrictMarshaller<>(descriptor.getRequestMarshaller()))
            .build(),
        method.getServerCallHandler());
  }

  private record StrictMarshaller<T>(MethodDescriptor.Marshaller<T> marshaller)
      implements MethodDescriptor.Marshaller<T> {

    @Override
    public InputStream stream(T message) {
      return marshaller.stream(message);
    }

    @Override
    public T parse(InputStream bytes) {
      try {
        return marshaller.parse(bytes);
      } catch (StatusRuntimeException e) {
        return null;
      }
    }
  }
}
