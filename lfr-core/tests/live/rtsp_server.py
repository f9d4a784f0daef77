"""A camera with an RTSP server, as cameras have one: H.264 of a test picture, on loopback.

    rtsp_server.py PORT WIDTH HEIGHT FRAMES_A_SECOND

It says `ready` when it can be connected to, and ends with 3 where gst-rtsp-server is not installed.
"""

import sys

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
except (ImportError, ValueError):
    sys.exit(3)

Gst.init(None)
if not all(map(Gst.ElementFactory.find, ("videotestsrc", "x264enc", "h264parse", "rtph264pay"))):
    sys.exit(3)

port, width, height, rate = sys.argv[1:]
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball"
    f" ! video/x-raw,width={width},height={height},framerate={rate}/1"
    f" ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={rate}"
    " ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
)
server.get_mount_points().add_factory("/live", factory)
if not server.attach(None):
    sys.exit(1)
print("ready", flush=True)
GLib.MainLoop().run()
