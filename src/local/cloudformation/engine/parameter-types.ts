/** Parameter types whose value is what the request says. */
export const TYPES: ReadonlySet<string> = new Set(["String", "Number", "List<Number>", "CommaDelimitedList", "AWS::SSM::Parameter::Name"]);

/** Whether a parameter of this type takes its value from SSM. */
export const isSsmValue = (type: string): boolean => /^AWS::SSM::Parameter::Value<(String|List<String>|CommaDelimitedList)>$/.test(type);

/** Whether a parameter of this type is a list. */
export const isListType = (type: string): boolean => type === "CommaDelimitedList" || /List<|<CommaDelimitedList>/.test(type);

/** The items of a list parameter's text. */
export const listItems = (text: string): readonly string[] => (text === "" ? [] : text.split(",").map((item) => item.trim()));
