package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.DescriptorProtos.SourceCodeInfo.Location;
import com.google.protobuf.Descriptors.GenericDescriptor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the proto files say in words, which generated classes do not have. */
final class Comments {

  /** By the file's name and the place in its descriptor. */
  private final Map<String, Map<List<Integer>, String>> comments = new HashMap<>();

  Comments(FileDescriptorSet files) {
    for (FileDescriptorProto file : files.getFileList()) {
      Map<List<Integer>, String> ofFile = new HashMap<>();
      for (Location location : file.getSourceCodeInfo().getLocationList()) {
        if (location.hasLeadingComments()) {
          ofFile.put(location.getPathList(), text(location.getLeadingComments()));
        }
      }
      comments.put(file.getName(), ofFile);
    }
  }

  /** One paragraph a line. */
  private static String text(String comment) {
    return comment.strip().replaceAll("(?m)^ ", "").replaceAll("(?<!\n)\n(?!\n)", " ");
  }

  /**
   * The comment above something.
   *
   * @param place numbers of fields and indices in the descriptor of its file, as {@code
   *     google.protobuf.SourceCodeInfo} has them
   * @return empty if there is none
   */
  String of(GenericDescriptor what, Integer... place) {
    return comments
        .getOrDefault(what.getFile().getName(), Map.of())
        .getOrDefault(List.of(place), "");
  }
}
