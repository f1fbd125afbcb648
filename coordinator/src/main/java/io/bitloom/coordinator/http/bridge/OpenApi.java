package io.bitloom.coordinator.http.bridge;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.List;
import java.util.Locale;

/** The bridge's paths as an OpenAPI 3.1 document, with the words of the proto files. */
final class OpenApi {

  private static final int SERVICES = 6; // numbers of fields of descriptors
  private static final int METHODS = 2;

  private static final String ERROR =
      """
      {"type": "object", "description": "Why a call has failed.", "required": ["error"],
       "properties": {"error": {"type": "object",
         "required": ["code", "status", "reason", "message", "fields"],
         "properties": {
           "code": {"type": "integer", "description": "The status of HTTP."},
           "status": {"type": "string", "description": "The status of gRPC."},
           "reason": {"type": "string", "description": "Stable, in upper snake case."},
           "message": {"type": "string", "description": "For people."},
           "fields": {"type": "array", "items": {"type": "object",
             "properties": {"field": {"type": "string"}, "value": {"type": "string"},
                            "message": {"type": "string"}}}}}}}}
      """;

  private static final String SECURITY =
      """
      {"token": {"type": "http", "scheme": "bearer",
                 "description": "Of a tenant. Without tenants, any word will do."},
       "page": {"type": "apiKey", "in": "header", "name": "X-Bitloom",
                "description": "Without a bearer token, a change needs this header, with any value."}}
      """;

  private final Comments comments = new Comments(ApiMethod.files());
  private final OpenApiSchemas schemas = new OpenApiSchemas(comments);

  private OpenApi() {}

  /** The document of some methods. */
  static JsonObject of(List<ApiMethod> methods) {
    return new OpenApi().document(methods);
  }

  private JsonObject document(List<ApiMethod> methods) {
    JsonObject paths = new JsonObject();
    for (ApiMethod method : methods) {
      String path = method.path().shown();
      if (!paths.has(path)) {
        paths.add(path, new JsonObject());
      }
      String verb = method.verb().name().toLowerCase(Locale.ROOT);
      paths.getAsJsonObject(path).add(verb, operation(method));
    }
    JsonObject info = new JsonObject();
    info.addProperty("title", "Bitloom");
    info.addProperty("version", "v1");
    info.addProperty("description", words(methods.get(0), new Integer[] {SERVICES, 0}));
    info.add("license", json("{\"name\": \"Apache-2.0\", \"identifier\": \"Apache-2.0\"}"));
    JsonObject all = schemas.all();
    all.add("Error", json(ERROR));
    JsonObject components = new JsonObject();
    components.add("schemas", all);
    components.add("securitySchemes", json(SECURITY));
    JsonObject document = new JsonObject();
    document.addProperty("openapi", "3.1.0");
    document.add("info", info);
    document.add("servers", JsonParser.parseString("[{\"url\": \"/\"}]"));
    document.add("security", JsonParser.parseString("[{\"token\": []}, {\"page\": []}]"));
    document.add("paths", paths);
    document.add("components", components);
    return document;
  }

  private static JsonObject json(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }

  private String words(ApiMethod method, Integer... place) {
    return comments.of(method.proto(), place);
  }

  private JsonObject operation(ApiMethod method) {
    String name = method.proto().getName();
    JsonObject operation = new JsonObject();
    operation.addProperty("operationId", name);
    operation.addProperty("summary", name.replaceAll("(?<=[a-z])(?=[A-Z])", " "));
    int service = method.proto().getService().getIndex();
    String words = words(method, SERVICES, service, METHODS, method.proto().getIndex());
    if (!words.isEmpty()) {
      operation.addProperty("description", words);
    }
    JsonArray parameters = parameters(method);
    if (!parameters.isEmpty()) {
      operation.add("parameters", parameters);
    }
    if (!method.body().isEmpty()) {
      operation.add("requestBody", body(method));
    }
    operation.add("responses", responses(method));
    return operation;
  }

  private JsonArray parameters(ApiMethod method) {
    JsonArray parameters = new JsonArray();
    for (PathTemplate.Variable variable : method.path().variables()) {
      JsonObject parameter = new JsonObject();
      parameter.addProperty("name", variable.shown());
      parameter.addProperty("in", "path");
      parameter.addProperty("required", true);
      parameter.add("schema", json("{\"type\": \"string\"}"));
      parameters.add(parameter);
    }
    for (FieldDescriptor field : JsonRequest.parameters(method)) {
      JsonObject parameter = new JsonObject();
      parameter.addProperty("name", field.getName());
      parameter.addProperty("in", "query");
      parameter.add("schema", schemas.field(field));
      parameters.add(parameter);
    }
    return parameters;
  }

  private JsonObject body(ApiMethod method) {
    FieldDescriptor field = method.bodyField();
    Descriptor type = field == null ? method.proto().getInputType() : field.getMessageType();
    JsonObject content = new JsonObject();
    content.add("application/json", schema(schemas.reference(type)));
    if (method.proto().isClientStreaming()) {
      content.add(JsonStream.LINES, schema(schemas.reference(type)));
    }
    JsonObject body = new JsonObject();
    if (method.proto().isClientStreaming()) {
      body.addProperty("description", "One message, or one a line.");
    }
    body.add("content", content);
    return body;
  }

  private JsonObject responses(ApiMethod method) {
    FieldDescriptor field = method.answerField();
    Descriptor type = field == null ? method.proto().getOutputType() : field.getMessageType();
    JsonObject schema = schema(schemas.reference(type));
    JsonObject content = new JsonObject();
    boolean streams = method.proto().isServerStreaming();
    if (streams) {
      content.add(JsonStream.LINES, schema);
      content.add(JsonStream.EVENTS, schema);
    } else {
      content.add("application/json", schema);
    }
    JsonObject done = new JsonObject();
    done.addProperty(
        "description",
        streams
            ? "A message a line, or an event each; if the call fails after the first one, the last"
                + " is an Error."
            : "Done.");
    done.add("content", content);
    JsonObject failed = new JsonObject();
    failed.addProperty("description", "The call has failed; `error` says why.");
    JsonObject error = new JsonObject();
    error.add("application/json", schema(OpenApiSchemas.reference("Error")));
    failed.add("content", error);
    JsonObject responses = new JsonObject();
    responses.add("200", done);
    responses.add("4XX", failed);
    responses.add("5XX", failed);
    return responses;
  }

  private static JsonObject schema(JsonObject schema) {
    JsonObject media = new JsonObject();
    media.add("schema", schema);
    return media;
  }
}
