import Hummingbird
import NIOCore

/// `GET /openapi.json`.
enum OpenAPIRoute {
    static func add(to router: Router<OakumContext>) {
        router.get("/openapi.json") { _, _ in
            APIRoutes.answer("application/json", ByteBuffer(bytes: OpenAPIDocument.bytes))
        }
    }
}
