/**
 * Training data: caption files, curation, the order of samples, pictures made ready on threads of
 * their own, and features cached on disk. Nothing here touches libtorch.
 */
package io.bitloom.training.data;
