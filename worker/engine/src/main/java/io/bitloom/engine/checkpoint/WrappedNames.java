package io.bitloom.engine.checkpoint;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The names that tensors have in the model itself. Whatever a model is wrapped in for training
 * (data parallelism, compilation, a Lightning module, a running average) puts its own name before
 * those of its parameters.
 */
final class WrappedNames {
  /** Names of a model in a wrapper, the preferred model first: averages, then weights. */
  private static final List<String> WRAPPERS =
      List.of("ema.", "ema_model.", "module.", "model.", "net.");

  /** Wrappers that may stand around any layer. */
  private static final Pattern ANYWHERE =
      Pattern.compile(
          "(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\\.");

  private static final int MAX_DEPTH = 8;

  private WrappedNames() {}

  /**
   * The models among tensors.
   *
   * @param names as they are stored
   * @return what is before the names of a model, or nothing if there is one model, to stored names
   *     with the model's own; the preferred model first
   */
  static Map<String, Map<String, String>> models(Collection<String> names) {
    Map<String, String> bare = new LinkedHashMap<>();
    names.forEach(name -> bare.put(name, ANYWHERE.matcher(name).replaceAll("")));
    Map<String, Map<String, String>> models = new LinkedHashMap<>();
    addModels(models, "", bare, MAX_DEPTH);
    models.replaceAll((model, own) -> isUnique(own) ? own : asStored(own));
    return models;
  }

  private static void addModels(
      Map<String, Map<String, String>> models, String prefix, Map<String, String> own, int depth) {
    Map<String, Map<String, String>> wrapped = new LinkedHashMap<>();
    for (String wrapper : depth == 0 ? List.<String>of() : WRAPPERS) {
      Map<String, String> inside = new LinkedHashMap<>();
      own.forEach(
          (stored, name) -> {
            if (name.startsWith(wrapper) && name.length() > wrapper.length()) {
              inside.put(stored, name.substring(wrapper.length()));
            }
          });
      if (inside.size() == own.size()) {
        addModels(models, prefix, inside, depth - 1);
        return;
      }
      wrapped.put(wrapper.substring(0, wrapper.length() - 1), inside);
    }
    addSeveral(models, prefix, own, wrapped, depth);
  }

  /** A model has a good part of the tensors; a few with a wrapper's name are something else. */
  private static void addSeveral(
      Map<String, Map<String, String>> models,
      String prefix,
      Map<String, String> own,
      Map<String, Map<String, String>> wrapped,
      int depth) {
    Map<String, String> rest = new LinkedHashMap<>(own);
    List<String> found = new ArrayList<>();
    wrapped.forEach(
        (wrapper, inside) -> {
          if (inside.size() * 4 >= own.size()) {
            found.add(wrapper);
            rest.keySet().removeAll(inside.keySet());
          }
        });
    for (String wrapper : found) {
      addModels(models, join(prefix, wrapper), wrapped.get(wrapper), depth - 1);
    }
    if (!rest.isEmpty()) {
      models.put(prefix, rest);
    }
  }

  private static String join(String prefix, String name) {
    return prefix.isEmpty() ? name : prefix + "." + name;
  }

  private static boolean isUnique(Map<String, String> own) {
    return new HashSet<>(own.values()).size() == own.size();
  }

  private static Map<String, String> asStored(Map<String, String> own) {
    Map<String, String> stored = new LinkedHashMap<>();
    own.keySet().forEach(name -> stored.put(name, name));
    return stored;
  }
}
