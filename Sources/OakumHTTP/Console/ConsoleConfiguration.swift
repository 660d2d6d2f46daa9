/// Where the console listens and what it serves.
package struct ConsoleConfiguration: Sendable {
    /// `HOST:PORT`, for example `127.0.0.1:9100` or `[::1]:9100`; port 0 lets the kernel choose.
    package var listen: String
    /// A proxy in front authenticates people and speaks TLS: then, and only then, an address beyond loopback is taken.
    package var behindProxy: Bool
    /// Names the console is reached by, beside loopback names. Behind a proxy an empty list means any.
    package var allowedHosts: [String]
    /// `share/oakum/www`: page script and style. Read when asked for.
    package var assetsFolder: String
    /// The folder with `dygraph.min.js` (Debian's `libjs-dygraphs`). Missing is fine: no charts, and the page says why.
    package var dygraphsFolder: String
    /// Live streams at once; more get 503.
    package var maxStreams: Int
    /// How often an open stream gets an overview.
    package var streamInterval: Duration

    package init(
        listen: String = "127.0.0.1:9100", behindProxy: Bool = false, allowedHosts: [String] = [],
        assetsFolder: String, dygraphsFolder: String = "/usr/share/javascript/dygraphs", maxStreams: Int = 64,
        streamInterval: Duration = .seconds(1)
    ) {
        self.listen = listen
        self.behindProxy = behindProxy
        self.allowedHosts = allowedHosts
        self.assetsFolder = assetsFolder
        self.dygraphsFolder = dygraphsFolder
        self.maxStreams = maxStreams
        self.streamInterval = streamInterval
    }
}
