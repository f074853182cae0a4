// Debian's OpenCV is linked with libGLX, and that with X11, to display images through OpenGL. mpbench displays none, and a
// machine without a screen has no X11: in the wheel this takes libGLX's place.
#define EXPORTED __attribute__((visibility("default")))

EXPORTED void* glXGetCurrentContext(void) { return 0; }
EXPORTED void* glXGetCurrentDisplay(void) { return 0; }
EXPORTED void (*glXGetProcAddressARB(const unsigned char* name))(void) {
  (void)name;
  return 0;
}
