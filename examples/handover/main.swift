// A whole service that can be replaced without losing a request; docs/handover.md tells how to run it.
import Hummingbird
import Logging
import ServiceHandover

let router = Router()
router.get("hello") { _, _ in "hello\n" }
router.post("upload") { request, _ in
    "\(try await request.body.collect(upTo: 1 << 20).readableBytes) bytes\n"
}

let service = HandoverService(
    responder: router.buildResponder(),
    configuration: HandoverConfiguration(http: .hostname("127.0.0.1", port: 8080)),
    logger: Logger(label: "example"))
try await service.runService()
