"""The wordings by which each kind of question is known, most specific first: the first row that matches decides.

They are matched against one clause in lower case whose literals are marks (see `literals`). `S` stands for the words in
which the clause names its subject.
"""

from __future__ import annotations

from contexten.engines.analyst.understanding.intents import Intent

S = r"(?P<s>.+?)"
COUNTABLE = (
    r"(?:files?|modules?|lines?|loc|functions?|methods?|class(?:es)?|tests?|dependenc(?:y|ies)|packages?|librar(?:y|ies)|"
    r"to-?dos?|fixmes?|variables?|attributes?|members?|fields?|calls?|callers?|called|subclass(?:es)?|importers?|imports?|"
    r"imported|uses?|used|usages?|references?|places|times|occurrences?|how big)"
)
"""What can be counted."""
WHAT = rf"(?P<what>.*?(?:\b{COUNTABLE}\b|⟦\d+⟧).*|(?:of )?(?:are (?:there|they)|(?:them|these|those)(?: are there)?))"
OTHER = r"(?P<other>.+)"
PROJECT = (
    r"(?:this |the |that |our |my |your )?(?:whole |entire |current )?"
    r"(?:project|repo(?:sitory)?|code ?base|package|app(?:lication)?|library|program|code|system|service|tool|thing)"
)
OFTEN = r"(?:(?:ever|never|not|being|still|get|gets|actually|even|really|directly|always|also|only|currently) )*"
DO = r"(?:do|does|did|can|could|may|might|will|would|should)"
IS = r"(?:is|are|was|were|gets?)"
WHO = r"\b(?:who|what|which|where|list|show|find|all|every\w+|any(?:thing|one|body)?)\b.*"
RECORD = r"(?:summary|overview|description|explanation|list|report|table|map|outline|inventory)"
POLITE = (
    r"^(?:(?:hi|hello|hey|ok(?:ay)?|so|now|then|also|and|please|pls|kindly|just|next|first|finally)[,!]?\s+"
    r"|(?:can|could|would|will) (?:you|we)(?: please)?\s+|i(?:'d| would) like (?:you )?to\s+|i (?:want|need) (?:you )?to\s+"
    r"|(?:let's|let us|we (?:need|have|want) to|you (?:should|must|need to)|help me(?: to)?|try to|go ahead and)\s+)*"
)
_VERBS = (
    "add adapt annotate clean ?up deduplicate delete edit ensure extract fix generate harden implement improve insert "
    "integrate introduce migrate modify optimi[sz]e parametri[sz]e redesign refactor reformat remove rename reorgani[sz]e "
    "replace restructure rewrite scaffold simplify speed ?up translate create write debug execute deploy publish rebase "
    "convert adjust upgrade"
)
_VERBS_OR_NOUNS = (
    "allow apply audit avoid benchmark bring build bump change close code commit complete correct design develop disable "
    "document drop enable evaluate extend finish format handle inline install launch lint make merge move patch pin port "
    "prevent profile program push put release resolve revert review run secure set ?up solve split start stop support "
    "test tidy turn undo update verify wrap open"
)


def _any_of(words: str) -> str:
    return "(?:" + "|".join(word.replace("\x00", " ?") for word in words.replace(" ?", "\x00").split()) + ")"


CHANGE = (
    rf"(?:{_any_of(_VERBS)}\b|{_any_of(_VERBS_OR_NOUNS)} "
    r"(?:(?:the|an?|all|some|any|this|that|these|those|it|its|my|our|me|us|new|more|to|for|in|on|up|out|into|sure)\b|⟦))"
)
WRITE_RECORD = (
    rf"{POLITE}(?:write|create|make|generate|build|design)(?: me| us)?(?: an?| the)?(?: \w+){{0,2}} {RECORD}\b"
)
DESCRIBE = r"(?:explain|describe|summari[sz]e|analy[sz]e|explore|inspect|understand|read|walk me through|introduce|tell me (?:more )?about|show me|give me)"
GENERIC = (
    r"(?:functions?|methods?|class(?:es)?|code|definitions?|symbols?|variables?|constants?|modules?|files?|imports?|"
    r"(?:any|every|some|no)?things?|parts?)"
)
"""What there is of in any code, and so is no name."""
_BETWEEN = r"(?: (?:that|which|are|is|was|were|there|here|get|gets|do|does|ha(?:s|ve|d)|been|in ⟦\d+⟧|(?:in|of) (?:this|the) \w+))*"
_UNUSED = (
    rf"\b(?:dead|unused|unreferenced|unreachable|uncalled|orphan(?:ed)?) {GENERIC}\b",
    rf"\b{GENERIC}{_BETWEEN} (?:unused|unreferenced|unreachable|uncalled|dead)$",
    rf"\b{GENERIC}{_BETWEEN} (?:never|not|nowhere|no longer|isn't|aren't|nobody|no one)\b.*\b(?:call|us(?:e|ed|es)\b|refer|invok|need|import)",
)

_WHOLE = (
    rf"(?:it|this|that|{PROJECT}|(?:the |all |a |any |my |our |single |unit |one )*(?:tests?|test ?suite|linters?|checks?|docs|"
    r"documentation|examples?|(?:dev\w* )?server|dependencies)|locally|here|from source|in docker|for development|on my \w+)"
)
"""What is set up, built, run or tested as a whole."""

ASPECT = "<aspect>"
"""Stands in the table where the questions about what a body does (`ASPECTS`) are tried."""

WORDINGS: tuple[tuple[Intent, tuple[str, ...]], ...] = (
    (Intent.HELP, (
        r"^(?:hi|hello|hey|thanks?|thank you|help|ping)(?: there| me| you)?$",
        r"^(?:what can you do|who are you|what are you|how do i use you)$",
    )),
    (Intent.OVERVIEW, (rf"{WRITE_RECORD}(?: of| for| about)? {PROJECT}$",)),
    (Intent.EXPLAIN, (rf"{WRITE_RECORD}(?: of| for| about)? {S}$",)),
    (Intent.SHOW, (
        rf"^(?:please |can you )?(?:show|print|display|open|cat|view)(?: me)?(?: the)?(?: full)?(?: source| code| body| source code| content)s?(?: of| for)? {S}$",
        r"^(?:please |can you )?(?:show|print|display|open|cat|view|read)(?: me)?(?: the)?(?: function| class| method| file)? (?P<s2>⟦\d+⟧)$",
    )),
    (Intent.LARGEST, (
        r"\b(?:largest|biggest|longest|hot ?spots?)\b",
        r"\bmost (?:important|used|referenced|central|imported|called|popular)\b",
    )),
    (Intent.WRITE, (
        rf"{POLITE}{CHANGE}",
        r"\b(?:find|spot|detect|are there|check for|look for) (?:\w+ )?(?:bugs?|vulnerabilit(?:y|ies)|code smells?)\b",
        r"\b(?:find|spot|detect|are there|check for|look for) (?:\w+ )?security (?:issues|holes|problems)\b",
    )),
    (Intent.UNUSED, _UNUSED),
    (Intent.CYCLES, (
        r"\b(?:circular|cyclic)(?:ly)? (?:\w+ )?(?:imports?|dependenc\w+|references?)\b|\b(?:imports?|dependency) (?:cycles?|loops?|circles?)\b",
        r"\bimports? (?:each other|one another)\b|\b(?:imports?|depend\w*)\b.*\bin (?:a )?(?:circles?|cycles?)\b",
        rf"^(?:(?:{IS}|there|any|list|show|find|me|all|the) )*(?:import )?cycles$",
    )),
    (Intent.SETUP, (
        r"\bset-?up commands?\b",
        rf"\bhow (?:to|(?:do|can|should|would|does) (?:i|we|you|one)) {_any_of('install set ?up build start run test use try launch lint develop')}(?: {_WHOLE})*$",
    )),
    (Intent.CHANGES, (
        r"\b(?:recent|latest|newest|last)(?:ly)?\b.*\b(?:chang|commit|modif|edit|updat|happen|work)",
        r"\b(?:chang|edit|modifi|updat)\w*\b.*\b(?:recent|lately|last)",
        r"\bwhat(?:'s| is| has| was)? (?:been )?(?:changed|new)\b",
        r"\bgit (?:log|history)\b|\bcommits?\b|\bhistory of\b|^(?:git )?(?:log|history)$",
        r"\bwho (?:wrote|authored|(?:last )?(?:changed|edited|modified|touched))\b",
        r"\bwhen (?:was|were|did)\b.*\b(?:chang|add|modif|updat|edit|creat|introduc|written)",
    )),
    (Intent.COUNT, (
        rf"\bhow many {WHAT}",
        rf"\b(?:the )?(?:total )?number of {WHAT}",
        rf"{POLITE}count (?:all |the |of |up )*{WHAT}",
    )),
    (Intent.TESTS, (
        rf"\btests?\b(?:\s+\w+)? (?:for|of|cover\w*|exercis\w*|check\w*|that|use|uses|call|touch)(?: {S})?$",
        rf"\b(?:which|what|list|show|find|where are)\b(?: \w+){{0,2}} tests?\b(?: {S})?$",
        rf"\b(?:is|are) {S} (?:unit[- ])?(?:tested|covered)\b",
        rf"\bhow (?:is|are) {S} tested\b",
        rf"\b(?:is|are) {S} {OFTEN}(?:used|called|exercised|covered) (?:in|by) (?:the |any |a )?(?:unit )?tests?$",
        r"\btest coverage\b|^(?:(?:and|what about|the|its) )*tests?$",
    )),
    (Intent.ENTRY_POINTS, (
        r"\bentry ?-?points?\b|\bmain function\b|\bconsole scripts?\b|\bcommand[- ]line (?:commands?|interface)\b",
        rf"\bwhere (?:does|do) {PROJECT} (?:start|begin)|\bwhere\b.*\bexecution (?:start|begin)",
    )),
    (Intent.ENVIRONMENT, (r"\benvironment (?:variables?|settings?)\b|\benv(?:ironment)? vars?\b",)),
    (Intent.VERSIONS, (
        r"\b(?:what|which|minimum|supported|required)\b(?: \w+){0,2} (?:python|language|node|go|rust|java|interpreter) versions?\b",
        r"\b(?:what|which) versions? of (?:python|node|go|rust|java)\b|\brequires?[- ]python\b",
    )),
    (Intent.ROUTES, (
        r"^(?:please )?(?:list|show|find|what|which|where)\b.*\b(?:end ?points?|routes|urls|api paths)(?: (?:are|is)(?: there| defined)?| exists?| do(?:es)? \S+ (?:have|serve|expose|offer))?$",
    )),
    (Intent.OPTIONS, (
        r"\b(?:command[- ]?line|cli) (?:options?|flags?|arguments?|parameters?|switches)\b",
        r"^(?:please )?(?:list|show|find|what|which)\b(?: \w+){0,2} (?:flags|switches)\b(?!.*⟦)",
    )),
    (Intent.EXPORTS, (
        rf"\bpublic (?:api|interface|names?|functions?|class(?:es)?|symbols?)\b(?: (?:of|in) {S})?$",
        rf"\b(?:what|which)\b(?: \w+)?(?: {DO})?(?: {S})? exports?$",
        rf"\b{GENERIC} {IS} (?:exported|public)(?: (?:by|from|in) {S})?$",
        rf"\b(?:what|which) (?:does|do) {S} export\b",
    )),
    (Intent.RAISERS, (
        rf"\b(?:who|what|where|which (?:functions?|methods?|code|places?))\b.*\b(?:raises?|throws?|catches|handles)\b {S}$",
        rf"\bwhere (?:is|are) {S} (?:raised|thrown|caught)\b",
    )),
    (Intent.RELATION, (
        rf"^(?:and )?{DO} (?P<s>⟦\d+⟧) {OFTEN}(?:inherit from|derive from|extend|subclass|implement)s? (?P<other>⟦\d+⟧)$",
        r"^(?:and )?is (?P<s>⟦\d+⟧) a (?:sub-?class|child) of (?P<other>⟦\d+⟧)$",
    )),
    (Intent.SUBCLASSES, (
        r"^(?:please )?(?:list|show|what|which)\b(?: me)?(?: are)?(?: all)?(?: the)?(?: of the)?(?: custom)? (?P<s>exceptions|exception classes|error classes)(?: (?:are|is) (?:there|defined)| defined| (?:do|does) \S+(?: \w+)? (?:have|define|declare|provide|come with))?$",
        rf"\b(?:sub-?class(?:es)?|derived classes|child classes|children|implementations?|implementers) (?:of|for) {S}$",
        rf"\b(?:who|what|which)\b.*\b(?:inherits?|extends?|derives?|subclass(?:es)?|implements?)\b(?: from)? {S}$",
        rf"\b(?:inherit(?:s|ing)?|derived?) from {S}$|\bextend(?:s|ing) (?P<s2>.+)$",
        r"\bsub-?class(?:es|ed)?\b|\bchild classes\b|\bderived classes\b",
    )),
    (Intent.BASES, (
        rf"\bwhat {DO} {S} (?:inherit|extend|derive|subclass)",
        rf"\b(?:base|parent|super) ?-?class(?:es)?\b(?: of {S}$)?|\bbases of (?P<s2>.+)$",
    )),
    (Intent.IMPORTS, (
        rf"\b(?:what|which)\b.*\b{DO} {S} import\b",
        rf"\bimports (?:of|in) {S}$",
    )),
    (Intent.IMPORTERS, (
        rf"\bwhere (?:is|are|do we|does it) {S} (?:being )?imported\b",
        rf"\b(?:who|what|which|where)\b.*\b(?:imports?|imported)\b(?: by| from)?(?: {S})?$",
        rf"\b(?:who|what|which)\b.*\bdepends? (?:up)?on\b {S}$",
        r"\bimporters\b|\bdependents\b",
    )),
    (Intent.DEPENDENCIES, (
        r"\bdependenc(?:y|ies)\b|\bthird[- ]party\b|\brequirements?\b",
        rf"\b(?:what|which) (?:packages?|librar(?:y|ies)|frameworks?) {DO} ",
    )),
    (Intent.RELATION, (
        rf"^(?:and )?{DO} {S} {OFTEN}(?:call|use|import|reach|depend on|invoke|inherit from|extend|refer to)s? {OTHER}$",
        rf"^(?:and )?(?:is|are) {OTHER} (?:called|used|imported|invoked|reached) (?:by|in|from) {S}$",
    )),
    (Intent.CALLEES, (
        rf"\b(?:what|which|who)\b.*\b{DO} {S} (?:call|invoke|use|depend (?:up)?on)\b",
        rf"\b(?:what|which)\b.*\b(?:is|are|gets) (?:called|used|invoked) (?:by|in|inside|within) {S}$",
        r"\bcallees\b",
    )),
    (Intent.TEXT, (rf"^(?:is|are) there (?:still )?(?:any |some |a )?(?!to-?dos?\b|fixme){S} (?:left|remaining)$",)),
    (Intent.ASPECT, (ASPECT,)),
    (Intent.CALLERS, (
        rf"\bcallers?\b(?: of {S})?$",
        rf"\b(?:is|are|does|do we) {S} {OFTEN}(?:called|invoked|call|invoke)\b",
        rf"{WHO}\b(?:calls?|called|calling|invokes?|invoked|triggers?|triggered)\b(?: by| from)?(?: {S})?$",
        r"\bcall(?:ing)?[- ]?sites?\b|\bwho calls\b",
    )),
    (Intent.TEXT, (
        r"\bto-?dos?\b|\bfixmes?\b",
        rf"\b(?:occurrences?|mentions?|instances?) of {S}$|\bmention(?:s|ed|ing)?\b(?: (?P<s2>.+))?$",
        rf"\bgrep\b(?: for)? {S}$",
        rf"\b(?:find|search|look|show|list)\b.*\b(?:text|string|phrase|words?|literal|lines?)\b(?: {S})?$",
        r"\bwhere\b.*\b(?:text|string|phrase|word|message|literal) ⟦",
    )),
    (Intent.USES, (
        rf"\b(?:usages?|uses|references) (?:of|to) {S}$",
        rf"\b(?:is|are|do we) {S} {OFTEN}(?:used?|referenced|dead|unused|needed)\b",
        rf"\bwhat (?:would|will|could|might|else|happens)\b.*\b(?:renam|remov|delet|chang)\w+ {S}$|\b(?:impact|effect) of\b.* (?P<s2>\S+)$",
        rf"\b(?:safe|ok|okay) to (?:remove|delete|rename|change) {S}$",
        rf"{WHO}\b(?:uses?|used|using|utili[sz]es?|usages?|references?|referenced|refers?)\b(?: of| to| by)?(?: {S})?$",
        rf"{WHO}\b(?:accessed|instantiate[sd]?|constructs?|constructed|consumes?|passed)\b(?: {S})?$",
    )),
    (Intent.CONTENTS, (
        rf"\b(?:methods?|functions?|class(?:es)?|members?|attributes?|fields?|properties|symbols?|api) (?:are |is )?(?:of|in|on|inside|from) {S}$",
        rf"\b(?:what|which) (?:methods?|functions?|class(?:es)?|members|attributes|fields|properties|symbols)\b.*\b(?:does|do|has|have|are|is)\b {S}(?: have| define| contain| offer| export)?$",
        rf"\bwhat(?: is| are)? (?:there )?(?:in|inside|within) {S}$|\bcontents? of (?P<s2>.+)$",
        rf"\bwhat {DO} {S} (?:contain|define|consist of|offer)s?\b",
    )),
    (Intent.OVERVIEW, (
        r"\b(?:overview|architecture|big picture|tour|high[- ]level)\b(?!.* (?:of|for) (?:the )?⟦)",
        r"\b(?:structure|structured|layout|organi[sz]ation|organi[sz]ed|laid out)\b(?!.* of (?:the )?⟦)(?!.*⟦)",
        r"\bwhat (?:should|must) (?:i|we|one) (?:read|look at|know|learn|understand) first\b",
        r"\bwhere (?:should|do|can|would|could) (?:i|we|one|someone) (?:start|begin)\b|\bget(?:ting)? started\b",
        rf"^(?:please )?{DESCRIBE}(?: of)? {PROJECT}(?: to me)?$|^(?:a |the )?summary(?: of {PROJECT})?$",
        rf"\b(?:purpose|point|goal|aim|idea|summary|description|contents?) (?:of|behind) {PROJECT}$",
        rf"\bwhat(?: is| are) {PROJECT}(?: (?:about|for|all about|doing|here))?$|\bwhat {DO} {PROJECT} do\b",
        rf"\b(?:which|what) (?:programming )?languages?\b|\bhow {DO} {PROJECT} works?\b",
        r"^(?:analy[sz]e|explore|summari[sz]e|describe|explain)$",
    )),
    (Intent.SHOW, (rf"^(?:please )?(?:show me|show|print|display|open) {S}$",)),
    (Intent.DEFINE, (
        rf"\bwhere(?:'s|s| is| are| do(?:es)?| did| can i find| do we| to find)? {S} (?:is |are |being )?(?:defined|declared|implemented|located|created|written|found|com(?:e|ing) from|coming|lives?|sits?)\b",
        rf"\b(?:definition|declaration|implementation|location|source|source code|code) (?:of|for) {S}$",
        rf"\b(?:which|what) (?:file|module|package|class|place)s? (?:has|have|contains?|defines?|declares?|implements?|holds?) {S}$",
        rf"\b(?:which|what) (?:file|module|package|class) (?:is|are|does|do) {S} (?:in|defined in|live in|from|belong to)$",
        rf"^(?:find|locate|go to|jump to|look up|get|where(?: is| are)?|define) {S}$",
        rf"\bwho defines {S}$|\bdefined\b|^(?:\w+ )?(?:the |its )?(?:definition|location|place)$",
    )),
    (Intent.EXPLAIN, (
        rf"\bwhat {DO} {S} (?:do|mean|say|tell(?: us| me)?|stand for|represent|look like|hold|provide)\b",
        rf"\bhow {DO} {S} works?\b",
        rf"^(?:please )?{DESCRIBE}(?: to me)?(?: what| how)? {S}(?: (?:does|works?|is)(?: for)?)?$",
        rf"\b(?:purpose|meaning|role|responsibility|point|idea|summary|overview|description|behaviou?r|structure|internals) (?:of|behind) {S}$",
        rf"^(?:and |so )?what(?: is| are) {S}(?: (?:for|about|used for))?$",
        rf"\bhow (?:is|are) {S} (?:implemented|done|built|made|handled|computed|calculated|used)\b",
    )),
)  # fmt: skip

ASPECTS: tuple[tuple[str, str], ...] = (
    ("retry", r"\bretr(?:y|ies|ied|ying)\b|\bretryable\b|\bback-?off\b|\btried again\b"),
    (
        "raises",
        r"\b(?:raises?|raised|raising|throws?|thrown)\b|\b(?:what|which) (?:exceptions?|errors?)\b|\bcan\b.*\bfail\b",
    ),
    (
        "catches",
        r"\bcatch(?:es)?\b|\bswallow(?:s|ed)?\b|\bhandl(?:es?|ed|ing) (?:\w+ )?(?:errors?|exceptions?|failures?)\b",
    ),
    ("returns", r"\breturn(?:s|ed|ing)?\b|\bresult type\b|\bgives? back\b|\byields?\b"),
    (
        "parameters",
        r"\b(?:what|which|list|show|the|its|default|all) (?:\w+ )?(?:parameters?|arguments?|args|params|signature|inputs?)\b",
    ),
    (
        "parameters",
        r"\b(?:parameters?|arguments?|args|params|signature|inputs?) (?:of|for|does|do|to)\b|\b(?:accepts?|takes?)\b|\btake$",
    ),
    ("async", r"\basync(?:hronous)?\b|\bcoroutine\b|\bawait(?:able|ed)?\b|\bblock(?:s|ing)\b"),
    ("cached", r"\bcach(?:e|es|ed|ing)\b|\bmemoi[sz]"),
    ("logs", r"\blog\b(?! ?files?)|\blogs\b|\blogging\b|\blogged\b|\bprints?\b"),
    ("timeout", r"\btime-?outs?\b|\btimed? out\b|\bdeadline\b"),
    (
        "locks",
        r"\bthread[- ]?safe\b|\bthread safety\b|\b(?:several|multiple|many|other|concurrent) (?:threads|callers)\b|\bconcurrently\b|\block(?:s|ed|ing)?\b|\bmutex\b|\bsynchroni[sz]ed\b",
    ),
    ("deprecated", r"\bdeprecat\w+\b"),
    ("decorators", r"\bdecorat(?:or|ors|ed)\b"),
    ("value", r"\b(?:value|default)\b(?: of)?\b|\bset to\b|\binitiali[sz]ed\b"),
    ("docstring", r"\bdoc-?strings?\b|\bdocumented\b"),
)
ASPECT_OPENING = (
    rf"^(?:(?:and|also|so|but|then) )*(?:{IS}|has|have|{DO}|what|which|how|when|list|show|why|where|tell me|if|whether"
    r"|the|its|explain)\b"
)
