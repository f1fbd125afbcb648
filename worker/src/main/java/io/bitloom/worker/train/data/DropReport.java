package io.bitloom.worker.train.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was left out of the training data and why, with the first few samples of each reason. */
public final class DropReport {
  private static final int NAMED = 20;

  private final Map<String, Reason> reasons = new LinkedHashMap<>();
  private long kept;

  private static final class Reason {
    private final List<String> examples = new ArrayList<>();
    private long count;
  }

  synchronized void keep() {
    kept++;
  }

  synchronized void drop(String reason, String sample) {
    Reason found = reasons.computeIfAbsent(reason, name -> new Reason());
    found.count++;
    if (found.examples.size() < NAMED) {
      found.examples.add(sample);
    }
  }

  /** Samples that were kept. */
  public synchronized long kept() {
    return kept;
  }

  /** Samples that were left out. */
  public synchronized long dropped() {
    return reasons.values().stream().mapToLong(reason -> reason.count).sum();
  }

  /** Number of samples left out for a reason. */
  public synchronized long dropped(String reason) {
    return reasons.containsKey(reason) ? reasons.get(reason).count : 0;
  }

  /** {@code {"kept": n, "dropped": {reason: {"count": n, "examples": […]}}}}. */
  public synchronized JsonObject json() {
    JsonObject dropped = new JsonObject();
    reasons.forEach(
        (name, reason) -> {
          JsonArray examples = new JsonArray();
          reason.examples.forEach(examples::add);
          JsonObject entry = new JsonObject();
          entry.addProperty("count", reason.count);
          entry.add("examples", examples);
          dropped.add(name, entry);
        });
    JsonObject json = new JsonObject();
    json.addProperty("kept", kept);
    json.add("dropped", dropped);
    return json;
  }
}
