package io.bitloom.coordinator.http.bridge;

import com.google.api.HttpRule;
import com.google.api.Service;
import com.google.gson.Gson;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.bitloom.common.json.MessageReader;
import io.bitloom.v1.BatchServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import io.vertx.core.http.HttpMethod;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * A method of a service and how it is called by HTTP.
 *
 * @param proto what the proto file says of it
 * @param grpc how it is called within the process
 * @param path with the variables that are fields of the request
 * @param body {@code *} for the whole request, the name of a field, or empty for none
 * @param responseBody the field of the response that is the answer, or empty for all of it
 */
record ApiMethod(
    Descriptors.MethodDescriptor proto,
    MethodDescriptor<Message, Message> grpc,
    HttpMethod verb,
    PathTemplate path,
    String body,
    String responseBody) {

  static final String WHOLE = "*";

  private static final String RULES = "/bitloom/v1/batch_service.yaml";
  private static final String DESCRIPTORS = "/bitloom/v1/descriptors.pb";

  /**
   * The methods of the service of jobs, by the rules beside its proto file.
   *
   * @throws IllegalStateException if rules and methods do not fit together
   */
  static List<ApiMethod> all() {
    Map<String, MethodDescriptor<?, ?>> methods =
        BatchServiceGrpc.getServiceDescriptor().getMethods().stream()
            .collect(
                Collectors.toMap(
                    method -> method.getFullMethodName().replace('/', '.'), method -> method));
    List<ApiMethod> all =
        rules().stream().map(rule -> of(rule, methods.remove(rule.getSelector()))).toList();
    if (!methods.isEmpty()) {
      throw new IllegalStateException(RULES + " has no rule for " + methods.keySet());
    }
    return all;
  }

  private static ApiMethod of(HttpRule rule, MethodDescriptor<?, ?> method) {
    if (method == null) {
      throw new IllegalStateException(RULES + " names no method: " + rule.getSelector());
    }
    FieldDescriptor pattern =
        rule.getOneofFieldDescriptor(HttpRule.getDescriptor().getOneofs().get(0));
    return new ApiMethod(
        ((ProtoMethodDescriptorSupplier) method.getSchemaDescriptor()).getMethodDescriptor(),
        messages(method),
        HttpMethod.valueOf(pattern.getName().toUpperCase(Locale.ROOT)),
        PathTemplate.of((String) rule.getField(pattern)),
        rule.getBody(),
        rule.getResponseBody());
  }

  /** All generated messages are messages. */
  @SuppressWarnings("unchecked")
  private static MethodDescriptor<Message, Message> messages(MethodDescriptor<?, ?> method) {
    return (MethodDescriptor<Message, Message>) method;
  }

  private static List<HttpRule> rules() {
    Service.Builder service = Service.newBuilder();
    try (InputStream file = resource(RULES)) {
      Object yaml = new Yaml(new SafeConstructor(new LoaderOptions())).load(file);
      MessageReader.read(
          new Gson().toJson(Map.of("http", ((Map<?, ?>) yaml).get("http"))), service);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return service.getHttp().getRulesList();
  }

  /** The proto files with their comments. */
  static FileDescriptorSet files() {
    try (InputStream file = resource(DESCRIPTORS)) {
      return FileDescriptorSet.parseFrom(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream resource(String name) {
    return ApiMethod.class.getResourceAsStream(name);
  }

  /** An empty request. */
  Message.Builder request() {
    var marshaller = (MethodDescriptor.PrototypeMarshaller<Message>) grpc.getRequestMarshaller();
    return marshaller.getMessagePrototype().newBuilderForType();
  }

  /** The field of the request that is the body; null if there is none or it is all. */
  FieldDescriptor bodyField() {
    return body.isEmpty() || body.equals(WHOLE) ? null : proto.getInputType().findFieldByName(body);
  }

  /** The field of the response that is the answer; null for all of it. */
  FieldDescriptor answerField() {
    return responseBody.isEmpty() ? null : proto.getOutputType().findFieldByName(responseBody);
  }
}
