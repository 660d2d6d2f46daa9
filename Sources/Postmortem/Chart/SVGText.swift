/// Text and style of charts.
enum SVGText {
    /// As content or attribute; characters that XML does not allow are replaced.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in Markdown.clean(text, limit: 4_000, collapsing: true).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    enum Anchor: String {
        case start
        case middle
        case end
    }

    static func text(
        _ text: String, x: Double, y: Double, class name: String, anchor: Anchor = .start
    ) -> String {
        let anchor = anchor == .start ? "" : #" text-anchor="\#(anchor.rawValue)""#
        return #"<text class="\#(name)" x="\#(number(x))" y="\#(number(y))"\#(anchor)>\#(escaped(text))</text>"#
    }

    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String) -> String {
        #"<line class="\#(name)" x1="\#(number(x1))" y1="\#(number(y1))" x2="\#(number(x2))" y2="\#(number(y2))"/>"#
    }

    /// A coordinate with one decimal.
    static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e6 else { return "0" }
        let tenths = Int((value * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        let rest = abs(tenths) % 10
        return sign + "\(abs(tenths) / 10)" + (rest == 0 ? "" : ".\(rest)")
    }

    /// About how wide a text is drawn.
    static func width(_ text: String) -> Double {
        Double(text.unicodeScalars.count) * 6.6
    }

    /// The colours of the console, light and dark. All text reaches 4.5:1 on its ground.
    static let style = """
        <style>
        text{font:12px Inter,ui-sans-serif,system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;fill:#58626a}
        .title{font-size:14px;font-weight:600;fill:#1c2429}.name{fill:#1c2429}.number{font-size:10px;fill:#fffefc}
        .ground{fill:#fffefc}.grid{stroke:#e5e0d8}.axis{stroke:#cdc6bb}
        path,.mark,.level{fill:none;stroke-width:1.5}.spread,.expected{stroke:none;opacity:.18}.expected{fill:#58626a}
        .level{stroke:#a3242b;stroke-dasharray:7 4}.leveltext{fill:#a3242b}.mark{stroke-width:1;stroke-dasharray:3 3}
        line{stroke-width:1}.series{stroke-width:2}
        .c0{stroke:#17698a}.c1{stroke:#b4551d}.c2{stroke:#4d7a1e}.c3{stroke:#7a4aa6}
        .c4{stroke:#ae3468}.c5{stroke:#0d7d72}.c6{stroke:#876a00}.c7{stroke:#4059c2}
        .spread.c0{fill:#17698a}.spread.c1{fill:#b4551d}.spread.c2{fill:#4d7a1e}.spread.c3{fill:#7a4aa6}
        .spread.c4{fill:#ae3468}.spread.c5{fill:#0d7d72}.spread.c6{fill:#876a00}.spread.c7{fill:#4059c2}
        .spread{stroke:none}
        .cause{stroke:#815000}.harm{stroke:#a3242b}.finding{stroke:#135d7c}.people{stroke:#7a4aa6}.act{stroke:#1d6a42}
        circle{stroke:none}circle.cause{fill:#815000}circle.harm{fill:#a3242b}circle.finding{fill:#135d7c}
        circle.people{fill:#7a4aa6}circle.act{fill:#1d6a42}
        @media (prefers-color-scheme:dark){
        text{fill:#9fabb3}.title,.name{fill:#e7eaec}.number{fill:#11161a}.ground{fill:#192025}.grid{stroke:#283239}
        .axis{stroke:#3b474f}.expected{fill:#9fabb3}.level{stroke:#ff9f99}.leveltext{fill:#ff9f99}
        .c0{stroke:#83c9e6}.c1{stroke:#f0a070}.c2{stroke:#a5cf74}.c3{stroke:#c6a3ea}
        .c4{stroke:#f28db4}.c5{stroke:#6fd0c4}.c6{stroke:#d9be55}.c7{stroke:#a0b0ff}
        .spread.c0{fill:#83c9e6}.spread.c1{fill:#f0a070}.spread.c2{fill:#a5cf74}.spread.c3{fill:#c6a3ea}
        .spread.c4{fill:#f28db4}.spread.c5{fill:#6fd0c4}.spread.c6{fill:#d9be55}.spread.c7{fill:#a0b0ff}
        .cause{stroke:#efc071}.harm{stroke:#ff9f99}.finding{stroke:#83c9e6}.people{stroke:#c6a3ea}.act{stroke:#83d5a6}
        circle.cause{fill:#efc071}circle.harm{fill:#ff9f99}circle.finding{fill:#83c9e6}
        circle.people{fill:#c6a3ea}circle.act{fill:#83d5a6}
        .spread,circle{stroke:none}
        }
        </style>
        """
}
