package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.json.MessageReader;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A request of a method from path, query and body, as {@code google.api.HttpRule} says.
 *
 * <p>A field that is repeated may also be named without its s, as one of its values would be, and
 * names of an enum may be separated by commas: {@code state=queued,running}.
 */
final class JsonRequest {

  private final ApiMethod method;
  private final Message.Builder fromUrl;
  private final List<Part> path = new ArrayList<>();

  /** A value of the path. */
  private record Part(String field, String value) {}

  /**
   * Reads path and query.
   *
   * @throws BitloomException {@code INVALID_FIELD} if a value or a name is wrong
   */
  JsonRequest(ApiMethod method, RoutingContext exchange) {
    this.method = method;
    this.fromUrl = method.request();
    for (PathTemplate.Variable variable : method.path().variables()) {
      String segment = exchange.pathParam(variable.parameter());
      path.add(new Part(variable.field(), variable.prefix() + segment));
    }
    readQuery(exchange.queryParams());
    path.forEach(part -> set(fromUrl, part));
  }

  private void readQuery(MultiMap query) {
    for (String name : query.names()) {
      FieldDescriptor field = parameter(name);
      List<String> values = query.getAll(name).stream().filter(value -> !value.isBlank()).toList();
      if (field.isRepeated()) {
        values.stream()
            .flatMap(value -> single(field, value))
            .forEach(value -> MessageReader.set(fromUrl, field, name, value));
      } else if (values.size() > 1) {
        throw new BitloomException(
            ErrorCode.INVALID_FIELD, name + " is there twice", name, values.get(1));
      } else if (!values.isEmpty()) {
        MessageReader.set(fromUrl, field, name, values.get(0));
      }
    }
  }

  private static Stream<String> single(FieldDescriptor field, String value) {
    return field.getJavaType() == FieldDescriptor.JavaType.ENUM
        ? Arrays.stream(value.split(",")).map(String::strip).filter(one -> !one.isEmpty())
        : Stream.of(value);
  }

  private FieldDescriptor parameter(String name) {
    FieldDescriptor field = MessageReader.find(method.proto().getInputType(), name);
    if (field == null) {
      FieldDescriptor plural = MessageReader.find(method.proto().getInputType(), name + "s");
      field = plural != null && plural.isRepeated() ? plural : null;
    }
    if (field == null || !parameters(method).contains(field)) {
      String shown = FieldViolation.shown(name);
      throw new BitloomException(
          ErrorCode.INVALID_FIELD,
          shown + " is not a parameter of " + method.proto().getName(),
          shown,
          "");
    }
    return field;
  }

  /** The fields that may be in the query: those that are neither in the path nor in the body. */
  static List<FieldDescriptor> parameters(ApiMethod method) {
    if (method.body().equals(ApiMethod.WHOLE)) {
      return List.of();
    }
    List<String> taken =
        method.path().variables().stream().map(PathTemplate.Variable::field).toList();
    return method.proto().getInputType().getFields().stream()
        .filter(field -> !field.getName().equals(method.body()))
        .filter(field -> !taken.contains(field.getName()))
        .toList();
  }

  private static void set(Message.Builder message, Part part) {
    Message.Builder parent = message;
    String[] names = part.field().split("\\.");
    for (int i = 0; i < names.length - 1; i++) {
      parent = parent.getFieldBuilder(parent.getDescriptorForType().findFieldByName(names[i]));
    }
    FieldDescriptor last = parent.getDescriptorForType().findFieldByName(names[names.length - 1]);
    MessageReader.set(parent, last, part.field(), part.value());
  }

  /** The value of a header, if the query does not have it. */
  void setIfAbsent(String name, String value) {
    FieldDescriptor field = method.proto().getInputType().findFieldByName(name);
    if (field != null && value != null && fromUrl.getField(field).equals("")) {
      MessageReader.set(fromUrl, field, name, value);
    }
  }

  /**
   * The request with a body, or one of the bodies of a stream; empty is the same as {@code {}}.
   *
   * @param first whether it is the first one, which has the values of the URL
   * @throws BitloomException if the body is not what the method takes
   */
  Message withBody(Buffer json, boolean first) {
    Message.Builder message = first ? fromUrl.clone() : method.request();
    if (json.length() > 0) {
      FieldDescriptor field = method.bodyField();
      Message.Builder into = field == null ? message : message.getFieldBuilder(field);
      try (InputStreamReader text =
          new InputStreamReader(
              new ByteArrayInputStream(json.getBytes()), StandardCharsets.UTF_8.newDecoder())) {
        MessageReader.read(text, into, field == null ? "" : field.getName() + ".");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (first) {
      path.forEach(part -> set(message, part));
    }
    return message.build();
  }
}
