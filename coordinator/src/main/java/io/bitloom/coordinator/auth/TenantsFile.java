package io.bitloom.coordinator.auth;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.coordinator.auth.Caller.Role;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Reads the file of tenants and their tokens, of which it has only digests:
 *
 * <pre>{@code
 * {"tenants": [{"name": "art", "weight": 2,
 *   "limits": {"open_jobs": 10, "queued_prompts": 100000, "prompts_per_second": 500,
 *              "job_bytes": "1GiB", "queue_bytes": "2GiB", "result_bytes": "100GiB"},
 *   "tokens": [{"sha256": "4be1c2a…", "roles": ["client"]}]}]}
 * }</pre>
 *
 * Everything is checked; an error names the file, the place in it and the value.
 */
final class TenantsFile {

  private static final int MAX_NAME = 64;

  private final Path file;
  private final LimitsConfig defaults;
  private final Map<String, Caller> callers = new HashMap<>();

  private TenantsFile(Path file, LimitsConfig defaults) {
    this.file = file;
    this.defaults = defaults;
  }

  /**
   * Callers by the SHA-256 of their token, in small hexadecimal digits.
   *
   * @param defaults limits of tenants that have none of their own
   * @throws ConfigException if the file cannot be read or is not such a file
   */
  static Map<String, Caller> read(Path file, LimitsConfig defaults) {
    TenantsFile reading = new TenantsFile(file, defaults);
    JsonElement root;
    try {
      root = JsonParser.parseString(Files.readString(file));
    } catch (IOException e) {
      throw new ConfigException(AccessConfig.TENANTS.name(), file, "must be a readable file");
    } catch (JsonParseException e) {
      throw new ConfigException(AccessConfig.TENANTS.name(), file, "must be JSON");
    }
    JsonObject object = reading.object("$", root, "tenants");
    Set<String> names = new HashSet<>();
    int index = 0;
    for (JsonElement tenant : reading.array("tenants", object.get("tenants"))) {
      reading.tenant("tenants[" + index++ + "]", tenant, names);
    }
    return Map.copyOf(reading.callers);
  }

  private void tenant(String place, JsonElement element, Set<String> names) {
    JsonObject tenant = object(place, element, "name", "weight", "limits", "tokens");
    String name = text(place + ".name", tenant.get("name"));
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0," + (MAX_NAME - 1) + "}") || !names.add(name)) {
      throw bad(
          place + ".name", name, "must be letters, digits, _ . or -, and not be there already");
    }
    double weight = tenant.has("weight") ? number(place + ".weight", tenant.get("weight")) : 1;
    if (!(weight >= 0.001 && weight <= 1000)) {
      throw bad(place + ".weight", weight, "must be 0.001 to 1000");
    }
    LimitsConfig limits =
        tenant.has("limits") ? limits(place + ".limits", tenant.get("limits")) : defaults;
    int index = 0;
    for (JsonElement token : array(place + ".tokens", tenant.get("tokens"))) {
      token(place + ".tokens[" + index++ + "]", token, name, weight, limits);
    }
  }

  private LimitsConfig limits(String place, JsonElement element) {
    JsonObject limits =
        object(
            place,
            element,
            "open_jobs",
            "queued_prompts",
            "prompts_per_second",
            "job_bytes",
            "queue_bytes",
            "result_bytes");
    try {
      return defaults.ofTenant(
          bytes(place, limits, "job_bytes", defaults.jobBytes()),
          (int) whole(place, limits, "open_jobs", defaults.openJobs()),
          whole(place, limits, "queued_prompts", defaults.queuedPrompts()),
          (int) whole(place, limits, "prompts_per_second", defaults.promptsPerSecond()),
          bytes(place, limits, "queue_bytes", defaults.queueBytes()),
          bytes(place, limits, "result_bytes", defaults.resultBytes()));
    } catch (ConfigException e) {
      throw bad(place, limits, e.getMessage());
    }
  }

  private void token(
      String place, JsonElement element, String tenant, double weight, LimitsConfig limits) {
    JsonObject token = object(place, element, "sha256", "roles");
    String digest = text(place + ".sha256", token.get("sha256")).toLowerCase(Locale.ROOT);
    if (!digest.matches("[0-9a-f]{64}")) {
      throw bad(place + ".sha256", digest, "must be 64 hexadecimal digits");
    }
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (JsonElement role : array(place + ".roles", token.get("roles"))) {
      roles.add(role(place + ".roles", text(place + ".roles", role)));
    }
    if (roles.isEmpty()) {
      throw bad(place + ".roles", "[]", "must have a role");
    }
    if (callers.putIfAbsent(digest, new Caller(tenant, weight, limits, roles)) != null) {
      throw bad(place + ".sha256", digest, "must not be there twice");
    }
  }

  private Role role(String place, String name) {
    for (Role role : Role.values()) {
      if (role.name().toLowerCase(Locale.ROOT).equals(name)) {
        return role;
      }
    }
    throw bad(place, name, "must be client, worker or operator");
  }

  private JsonObject object(String place, JsonElement element, String... keys) {
    if (element == null || !element.isJsonObject()) {
      throw bad(place, element, "must be an object");
    }
    for (String key : element.getAsJsonObject().keySet()) {
      if (!Set.of(keys).contains(key)) {
        throw bad(place, key, "must have no other keys than " + String.join(", ", keys));
      }
    }
    return element.getAsJsonObject();
  }

  private JsonArray array(String place, JsonElement element) {
    if (element == null || !element.isJsonArray()) {
      throw bad(place, element, "must be a list");
    }
    return element.getAsJsonArray();
  }

  private String text(String place, JsonElement element) {
    if (element == null || !element.isJsonPrimitive() || !element.getAsJsonPrimitive().isString()) {
      throw bad(place, element, "must be a text");
    }
    return element.getAsString();
  }

  private double number(String place, JsonElement element) {
    if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isNumber()) {
      throw bad(place, element, "must be a number");
    }
    return element.getAsDouble();
  }

  private long whole(String place, JsonObject limits, String key, long otherwise) {
    if (!limits.has(key)) {
      return otherwise;
    }
    double value = number(place + "." + key, limits.get(key));
    if (value != Math.rint(value) || value < 1 || value > 1e9) {
      throw bad(place + "." + key, limits.get(key), "must be a whole number from 1 to 1e9");
    }
    return (long) value;
  }

  private long bytes(String place, JsonObject limits, String key, long otherwise) {
    if (!limits.has(key)) {
      return otherwise;
    }
    String size = text(place + "." + key, limits.get(key));
    try {
      return Settings.bytes(key, size);
    } catch (ConfigException e) {
      throw bad(place + "." + key, size, "must be a size such as 64KiB, 512MiB, 8GiB or 1TiB");
    }
  }

  private ConfigException bad(String place, Object value, String message) {
    return new ConfigException(
        AccessConfig.TENANTS.name(), file + ": " + place + " " + value, message);
  }
}
