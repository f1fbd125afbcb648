package io.bitloom.coordinator.http.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A path of {@code google.api.HttpRule} whose variables are one segment each: <code>
 * /api/v1/{name=jobs/*}/prompts/{custom_id}</code>.
 *
 * @param route the path as Vert.x routes it: {@code /api/v1/jobs/:p0/prompts/:p1}
 * @param shown the path as OpenAPI has it: <code>/api/v1/jobs/{job}/prompts/{custom_id}</code>
 * @param variables in their order
 */
record PathTemplate(String route, String shown, List<Variable> variables) {

  private static final Pattern VARIABLE = Pattern.compile("\\{([a-z_.]+)(?:=([a-z]+)s/\\*)?\\}");

  /**
   * A part of the path that goes into a field of the request.
   *
   * @param field its name, with dots for fields of fields
   * @param prefix what stands before the segment in the field's value: {@code jobs/}, or empty
   * @param parameter what Vert.x calls it
   * @param shown what OpenAPI calls it
   */
  record Variable(String field, String prefix, String parameter, String shown) {}

  /**
   * @throws IllegalArgumentException if the path has anything else in braces
   */
  static PathTemplate of(String path) {
    List<Variable> variables = new ArrayList<>();
    StringBuilder route = new StringBuilder();
    StringBuilder shown = new StringBuilder();
    Matcher matcher = VARIABLE.matcher(path);
    int end = 0;
    while (matcher.find()) {
      String literal = path.substring(end, matcher.start());
      String parent = matcher.group(2);
      String prefix = parent == null ? "" : parent + "s/";
      Variable variable =
          new Variable(
              matcher.group(1),
              prefix,
              "p" + variables.size(),
              parent == null ? matcher.group(1) : parent);
      variables.add(variable);
      route.append(literal).append(prefix).append(':').append(variable.parameter());
      shown.append(literal).append(prefix).append('{').append(variable.shown()).append('}');
      end = matcher.end();
    }
    String rest = path.substring(end);
    if ((route + rest).contains("{")) {
      throw new IllegalArgumentException(path);
    }
    return new PathTemplate(route + rest, shown + rest, List.copyOf(variables));
  }
}
