package import OakumAPI
package import Outbound

/// The tokens of another process, over its control socket.
package struct RemoteAccessPlane: AccessPlane {
    private let socket: ControlSocket

    /// - Parameter socketPath: `STATE/oakum.sock`.
    package init(
        socketPath: String, client: OutboundClient = OutboundClient(maxConcurrent: 4), timeoutSeconds: Double = 10
    ) {
        socket = ControlSocket(path: socketPath, client: client, timeoutSeconds: timeoutSeconds)
    }

    package func tokens() async throws(ControlError) -> [TokenSummary] {
        try await socket.call("GET", "/api/v1/tokens")
    }

    /// - Parameter actor: not sent: the other side asks the kernel.
    package func createToken(_ request: TokenRequest, by actor: String) async throws(ControlError) -> TokenGrant {
        try await socket.call("POST", "/api/v1/tokens", body: try ControlSocket.body(request))
    }

    package func revokeToken(_ id: String, by actor: String) async throws(ControlError) -> TokenSummary {
        try await socket.call("DELETE", "/api/v1/tokens/\(PercentEncoding.encode(id))")
    }
}
